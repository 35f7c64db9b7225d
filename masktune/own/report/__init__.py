"""What a training hands over to be read: the page of its results, and the card of its model."""
