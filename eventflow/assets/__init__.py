"""Assets: pictures, clips and sound that users upload. Read `store`, then `errors`."""
