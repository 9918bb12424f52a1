"""What AWS and the CDK say when something fails: what it means, and what to do."""
