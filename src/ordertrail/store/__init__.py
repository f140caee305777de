"""Where it is kept: the tables, their migrations, and every statement on them."""
