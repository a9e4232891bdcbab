-- The two roles and the database. The superuser runs this once, on a new server; running it again only changes the passwords,
-- the superuser's own as well where POSTGRES_PASSWORD is set (under compose).
--   backoffice_owner  owns the database and everything in it: migrations and grants, nothing else
--   backoffice        what web, worker and beat log in as; grants.sql gives it its rights
-- The passwords come from the environment: DATABASE_OWNER_PASSWORD and DATABASE_PASSWORD.

\set ON_ERROR_STOP on
\getenv owner_password DATABASE_OWNER_PASSWORD
\getenv password DATABASE_PASSWORD
\getenv superuser_password POSTGRES_PASSWORD

\if :{?superuser_password}
ALTER ROLE CURRENT_USER PASSWORD :'superuser_password';
\endif

SELECT 'CREATE ROLE backoffice_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backoffice_owner') \gexec
SELECT 'CREATE ROLE backoffice' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backoffice') \gexec
ALTER ROLE backoffice_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'owner_password';
ALTER ROLE backoffice LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';

-- A migration that cannot get its lock gives up: if it waited, every upload would queue behind it.
ALTER ROLE backoffice_owner SET lock_timeout = '10s';

SELECT 'CREATE DATABASE backoffice OWNER backoffice_owner TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C.UTF-8'''
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'backoffice') \gexec
REVOKE ALL ON DATABASE backoffice FROM PUBLIC;
GRANT CONNECT ON DATABASE backoffice TO backoffice;
