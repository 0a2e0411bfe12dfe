"""Permission to text people: contacts, consents and their proof, requests, retention."""
