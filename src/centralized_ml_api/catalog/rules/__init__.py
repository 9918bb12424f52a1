"""What a JumpStart spec means, one family of rules a file. All of it pure; a spec is never changed."""
