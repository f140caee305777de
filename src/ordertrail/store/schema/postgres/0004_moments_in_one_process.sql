-- A function that catches errors cannot run while a query is shared out among processes.
ALTER FUNCTION moment_micros(text) PARALLEL UNSAFE;
