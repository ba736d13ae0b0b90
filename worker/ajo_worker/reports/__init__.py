"""The report of a while: read from the audit views, and written as one page, as tables or as JSON."""
