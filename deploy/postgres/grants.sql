-- What the application may do. backoffice_owner runs this after every migration; running it again changes nothing.
-- It is one transaction, so a running application never sees half of it.
--
--   sales and batches          every table of sales and the inbox                   read, add, change
--   the books, seals, decisions   what ledger_, books_ and trail_refuse_change()    read, add
--   and the audit trail           guard
--   Z reports                  what sales_refuse_z_change() guards                  read, add
--   everything else            stores, terminals, shifts, sessions, settings        read, add, change, delete
--
-- Months (partitions) are reached through their parent table and have no rights of their own; a detached one has none at all.

\set ON_ERROR_STOP on
BEGIN;

DO $$
DECLARE
    name regclass;
    rights text;
BEGIN
    FOR name IN
        SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
    LOOP
        rights := CASE
            WHEN (SELECT relispartition FROM pg_class WHERE oid = name) OR name::text ~ '_[0-9]{6}$' THEN NULL
            WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid = name AND tgfoid IN (
                'public.ledger_refuse_change'::regproc, 'public.books_refuse_change'::regproc,
                'public.trail_refuse_change'::regproc,
                'public.sales_refuse_z_change'::regproc
            )) THEN 'SELECT, INSERT'
            WHEN name::text LIKE 'sales\_%' OR name::text LIKE 'inbox\_%'
                THEN 'SELECT, INSERT, UPDATE'
            WHEN name::text = 'django_migrations' THEN 'SELECT'
            ELSE 'SELECT, INSERT, UPDATE, DELETE'
        END;
        EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, backoffice', name);
        IF rights IS NOT NULL THEN
            EXECUTE format('GRANT %s ON TABLE %s TO backoffice', rights, name);
        END IF;
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA public TO backoffice;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO backoffice;

-- Making a month needs an owner's rights. The application makes months ahead of time, and months for rows that it finds in the
-- default partition, which move there unchanged. So it may call these four functions, which take a date or nothing and do
-- nothing else; a fixed search_path keeps other people's tables out of them. A migration that replaces a function resets this,
-- so it is set here, after every migration. Only the owner may call the functions that these call.
ALTER FUNCTION public.sales_create_month(date) SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION public.ledger_create_month(date) SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION public.sales_default_months() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION public.ledger_default_months() SECURITY DEFINER SET search_path = public, pg_temp;
REVOKE ALL ON FUNCTION public.sales_create_month(date), public.ledger_create_month(date),
    public.sales_default_months(), public.ledger_default_months(), public.sales_join_month(date),
    public.ledger_join_month(date), public.sales_leave_month(date), public.ledger_leave_month(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.sales_create_month(date), public.ledger_create_month(date),
    public.sales_default_months(), public.ledger_default_months() TO backoffice;

-- Whatever went wrong above, the application must not be able to change the books.
DO $$
DECLARE
    name regclass;
BEGIN
    FOR name IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND (relname ~ '^ledger_journal' OR relname ~ '^books_(decision|cachefile)'
            OR relname IN ('ledger_entrysource', 'ledger_periodlock', 'trail_entry', 'sales_zreport', 'evidence_leaf', 'evidence_dayroot',
                'evidence_checkpoint', 'evidence_stamp'))
    LOOP
        IF has_table_privilege('backoffice', name, 'UPDATE, DELETE, TRUNCATE') THEN
            RAISE EXCEPTION 'role backoffice may change %: nothing was granted', name;
        END IF;
    END LOOP;
END $$;

COMMIT;
