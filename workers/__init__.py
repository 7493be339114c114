"""What happens afterwards: facts get their number, consequences happen once, deadlines pass, messages leave."""
