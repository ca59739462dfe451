"""Small apps that do what real ones do, all pushed and served."""
