"""Reading a campaign's cURL sample: text → words → command → campaign definition. Nothing is executed."""
