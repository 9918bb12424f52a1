"""What will exist on AWS: frozen data, decided purely from the plan and from what JumpStart knows."""
