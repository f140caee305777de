"""Tools that know no domain: clock, database, the one committer, limits, paging."""
