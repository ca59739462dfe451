# Makes .gem files of installed gems and of all that they need: repack.rb TARGET NAME…
# Debian installs gems unpacked; compiled ones become gems for this platform.
require "fileutils"
require "rubygems/package"
require "tmpdir"

def pack(found, target)
  Dir.mktmpdir do |root|
    FileUtils.mkdir_p("#{root}/lib")
    if Dir.exist?(found.full_gem_path)
      FileUtils.cp_r("#{found.full_gem_path}/.", root)
    else
      FileUtils.cp_r(Dir.glob("/usr/lib/ruby/vendor_ruby/#{found.name}{,.rb}"), "#{root}/lib")
    end
    compiled = Dir.glob("#{found.extension_dir}/**/*.so")
    compiled.each do |path|
      inside = "#{root}/lib/#{path.delete_prefix("#{found.extension_dir}/")}"
      FileUtils.mkdir_p(File.dirname(inside))
      FileUtils.cp(path, inside)
    end
    Dir.chdir(root) { build(found, target, compiled.any?) }
  end
end

def build(found, target, compiled)
  spec = Gem::Specification.new do |made|
    made.name, made.version, made.authors, made.summary = found.name, found.version, ["Debian"], found.summary
    made.files = Dir.glob("**/*", File::FNM_DOTMATCH).select { |path| File.file?(path) }
    made.executables = found.executables.select { |name| File.file?("#{found.bindir}/#{name}") }
    made.bindir = found.bindir
    made.require_paths = found.require_paths.reject { |path| path.start_with?("/") }
    made.platform = Gem::Platform.new("x86_64-linux") if compiled
    found.runtime_dependencies.each { |each| made.add_dependency(each.name, *each.requirement.as_list) }
  end
  puts File.basename(Gem::Package.build(spec, true, false, "#{target}/#{spec.full_name}.gem"))
end

target = File.expand_path(ARGV.shift)
FileUtils.mkdir_p(target)
wanted, done = ARGV.dup, []
until wanted.empty?
  name = wanted.shift
  next if done.include?(name)

  done << name
  found = Gem::Specification.find_by_name(name)
  pack(found, target)
  wanted.concat(found.runtime_dependencies.map(&:name))
end
