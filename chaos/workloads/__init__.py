"""What runs while chaos breaks things."""
