CREATE DOMAIN @extschema@.word AS text;
