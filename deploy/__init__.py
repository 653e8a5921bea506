"""Setting up and running quiz80 on one machine: embedded servers, supervisor, launcher."""
