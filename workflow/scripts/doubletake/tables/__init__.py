"""Tables: how columns are declared, and the tables that every stage writes."""
