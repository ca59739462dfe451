require "sinatra/base"

# One page.
class Hello < Sinatra::Base
  # The proxy is the only way in, and it knows the hostnames.
  set :host_authorization, { permitted_hosts: [] }

  get "/" do
    "Hello from Sinatra #{Sinatra::VERSION} on Ruby #{RUBY_VERSION}.\n"
  end
end
