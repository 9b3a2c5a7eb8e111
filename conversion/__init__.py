"""What the conversion job runs, and the featurizers that SavedModels are built from."""
