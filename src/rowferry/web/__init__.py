"""The page for people: plain HTML that works without JavaScript, on the same front doors as the API."""
