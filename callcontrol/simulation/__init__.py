"""Days that never were, played through the real router: what a plan would do."""
