"""Tables: the contract of a table, and two tables that many stages write."""
