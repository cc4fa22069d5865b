"""From a request to a plan: the checked request, the query, the columns, the mode."""
