-- Three logins and a database. One owns the tables and migrates. One answers requests: it reads and writes the rows of
-- the company it names. One does what is no single company's work, so row-level security lets it pass.
-- Run once by psql as a superuser, with WAARBORG_OWNER_PASSWORD, WAARBORG_APP_PASSWORD and WAARBORG_SYSTEM_PASSWORD
-- in its environment.
\set ON_ERROR_STOP on
\getenv owner_password WAARBORG_OWNER_PASSWORD
\getenv app_password WAARBORG_APP_PASSWORD
\getenv system_password WAARBORG_SYSTEM_PASSWORD
CREATE ROLE waarborg_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE waarborg_app LOGIN PASSWORD :'app_password';
CREATE ROLE waarborg_system LOGIN BYPASSRLS IN ROLE waarborg_app PASSWORD :'system_password';
CREATE DATABASE waarborg OWNER waarborg_owner TEMPLATE template0 ENCODING 'UTF8'
  LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C';
ALTER DATABASE waarborg SET timezone = 'UTC';
