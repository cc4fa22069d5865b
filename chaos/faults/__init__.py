"""What chaos breaks."""
