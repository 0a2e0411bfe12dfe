"""A made-up world to try Placet with: brands, words in seven languages, people and what they said. Development only."""
