"""What a push means: which refs deploy, and the recipe from a received pack to a serving release."""
