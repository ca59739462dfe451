Gem::Specification.new do |spec|
  spec.name, spec.version, spec.authors, spec.summary = "greeting", "0.2.0", ["Ada"], "Greets"
  spec.files = Dir["lib/**/*.rb"]
end
