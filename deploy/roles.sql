-- Two logins and a database: one owns the tables and migrates, the other reads and writes their rows.
-- Run once by psql as a superuser, with WAARBORG_OWNER_PASSWORD and WAARBORG_APP_PASSWORD in its environment.
\set ON_ERROR_STOP on
\getenv owner_password WAARBORG_OWNER_PASSWORD
\getenv app_password WAARBORG_APP_PASSWORD
CREATE ROLE waarborg_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE waarborg_app LOGIN PASSWORD :'app_password';
CREATE DATABASE waarborg OWNER waarborg_owner TEMPLATE template0 ENCODING 'UTF8'
  LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C';
ALTER DATABASE waarborg SET timezone = 'UTC';
