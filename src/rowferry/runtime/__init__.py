"""What runs around the program: processes, worker, logs, mail, middleware, health views."""
