"""The recruiter's page: a person in front of us answers, and the answer is recorded with its proof."""
