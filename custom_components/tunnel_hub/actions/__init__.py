"""What actions do, one module for each subject; services.py registers them."""
