-- Who may do what with the store's catalogue in PostgreSQL. Run it once as the database's superuser, and again after
-- `audit-kernel store move`: psql -d DATABASE -v ON_ERROR_STOP=1 -f catalogue-roles.sql
-- The roles are called as the operating system's accounts and groups are. Each investigator's account gets a role of
-- its own: create role "ak-kari" login; grant "ak-investigator" to "ak-kari";
select format('create role %I %s', name, rights)
from (values ('audit-kernel', 'login'), ('ak-investigator', 'nologin')) as wanted (name, rights)
where not exists (select from pg_roles where rolname = name)
order by name
\gexec

-- Nobody else gets in: reviewers, auditors and operators have no role, and `public` has no right.
revoke all on database :"DBNAME" from public;
revoke all on schema public from public;
revoke all on all tables in schema public from public;
grant connect, create, temporary on database :"DBNAME" to "audit-kernel";
grant usage, create on schema public to "audit-kernel";
grant select, insert, update, delete, truncate on all tables in schema public to "audit-kernel";

grant connect on database :"DBNAME" to "ak-investigator";
grant usage on schema public to "ak-investigator";
grant select on all tables in schema public to "ak-investigator";
alter default privileges for role "audit-kernel" in schema public grant select on tables to "ak-investigator";
