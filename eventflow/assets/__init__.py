"""Media that users upload: pictures, clips and sound."""
