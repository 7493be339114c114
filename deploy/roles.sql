-- Creates three roles and a database. waarborg_owner owns the tables and runs migrations. waarborg_app serves requests:
-- row-level security limits it to the rows of the company set in its session. waarborg_system does work across companies
-- and bypasses row-level security. Run once with psql as a superuser, with WAARBORG_OWNER_PASSWORD,
-- WAARBORG_APP_PASSWORD and WAARBORG_SYSTEM_PASSWORD in its environment.
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
