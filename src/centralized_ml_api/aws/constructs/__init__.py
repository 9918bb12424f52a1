"""One construct a noun. They translate the plan and decide nothing."""
