"""What a run was made with: locked, compared with what is here, and built again."""
