"""What a finished run shows a person: contact sheets, the dataset card, the HTML report."""
