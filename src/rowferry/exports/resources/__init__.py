"""What a project declares: resources, columns, filters, permissions."""
