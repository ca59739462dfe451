# What this app says.
module Greeting
  def self.for(name) = "Hello #{name}, from a gem in the repository"
end
