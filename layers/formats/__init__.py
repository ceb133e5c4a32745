"""Files of ten departments, read as they are: tables and drawings, with no view on what they mean."""
