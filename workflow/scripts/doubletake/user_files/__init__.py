"""Files of users: rows of problems and thoughts, in the forms that people have."""
