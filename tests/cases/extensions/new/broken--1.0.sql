DO $$BEGIN RAISE 'not on this server'; END$$;
