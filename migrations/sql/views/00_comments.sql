-- What a column means is said once, at the table. Whoever shows that column says it again by this: call it before the
-- comments of columns that mean something of their own.
CREATE OR REPLACE FUNCTION ledger.describe_like(shown regclass, VARIADIC sources regclass[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT DISTINCT ON (mine.attnum) mine.attname, col_description(theirs.attrelid, theirs.attnum) AS means
        FROM unnest(sources) WITH ORDINALITY AS source (relation, place)
        JOIN pg_attribute theirs ON theirs.attrelid = source.relation AND NOT theirs.attisdropped
        JOIN pg_attribute mine ON mine.attrelid = shown AND mine.attnum > 0 AND mine.attname = theirs.attname
        WHERE col_description(theirs.attrelid, theirs.attnum) IS NOT NULL
        ORDER BY mine.attnum, source.place
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', shown, found.attname, found.means);
    END LOOP;
END
$$;

COMMENT ON FUNCTION ledger.describe_like IS
    'Gives a view''s columns the comments that columns of the same names have in these relations; the first counts.';
