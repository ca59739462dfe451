# Makes a folder of .gem files a source that RubyGems and Bundler can read as static files: index.rb FOLDER
# (the old index of Marshal.4.8, and the compact one: versions, info/NAME).
require "digest"
require "fileutils"
require "rubygems/package"
require "zlib"

Dir.chdir(ARGV.fetch(0))
FileUtils.mkdir_p(%w[gems info quick/Marshal.4.8])
FileUtils.mv(Dir.glob("*.gem"), "gems")
paths = Dir.glob("gems/*.gem").sort
specs = paths.to_h { |path| [path, Gem::Package.new(path).spec] }

names = specs.values.map { |spec| [spec.name, spec.version, spec.original_platform.to_s] }
File.binwrite("specs.4.8.gz", Gem::Util.gzip(Marshal.dump(names)))
%w[latest_specs prerelease_specs].each { |kind| File.binwrite("#{kind}.4.8.gz", Gem::Util.gzip(Marshal.dump([]))) }
specs.each_value do |spec|
  spec.abbreviate
  File.binwrite("quick/Marshal.4.8/#{spec.full_name}.gemspec.rz", Gem.deflate(Marshal.dump(spec)))
end

lines = specs.group_by { |_, spec| spec.name }.map do |name, found|
  info = found.map do |path, spec|
    needs = spec.runtime_dependencies.map { |each| "#{each.name}:#{each.requirement.as_list.join("&")}" }
    version = [spec.version, *(spec.platform == "ruby" ? nil : spec.platform)].join("-")
    "#{version} #{needs.join(",")}|checksum:#{Digest::SHA256.file(path).hexdigest}"
  end
  File.write("info/#{name}", "---\n#{info.join("\n")}\n")
  "#{name} #{info.map { |line| line.split.first }.join(",")} #{Digest::MD5.file("info/#{name}").hexdigest}"
end
File.write("versions", "created_at: 2025-01-01T00:00:00Z\n---\n#{lines.join("\n")}\n")
