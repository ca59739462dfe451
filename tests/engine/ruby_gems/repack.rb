# Makes .gem files of installed gems and of all they need: repack.rb TARGET NAME…
# Debian's packages install gems unpacked; compiled ones become gems for this platform.
require "fileutils"
require "rubygems/package"
require "tmpdir"

target = File.expand_path(ARGV.shift)
FileUtils.mkdir_p(target)
wanted, done = ARGV.dup, {}

until wanted.empty?
  name = wanted.shift
  next if done[name]
  found = Gem::Specification.find_by_name(name)
  done[name] = true
  wanted.concat(found.runtime_dependencies.map(&:name))

  Dir.mktmpdir do |root|
    spec = found.dup
    compiled = false
    FileUtils.mkdir_p("#{root}/lib")
    found.full_require_paths.uniq.each do |path|
      # A shared directory such as vendor_ruby holds everybody's files: only this gem's own are taken.
      if path.end_with?("vendor_ruby") || path =~ %r{/ruby/vendor_ruby(/[^/]+)*\z}
        own = name.tr("-", "/")
        candidates = [own, name, name.tr("-", "_"), own.split("/").first].uniq
        candidates.each do |each|
          ["#{each}.rb", each, "#{each}.so"].each do |entry|
            FileUtils.cp_r("#{path}/#{entry}", "#{root}/lib", remove_destination: true) if File.exist?("#{path}/#{entry}")
          end
        end
      elsif Dir.exist?(path)
        FileUtils.cp_r("#{path}/.", "#{root}/lib")
      end
    end
    %w[app config db exe bin data].each do |folder|
      FileUtils.cp_r("#{found.full_gem_path}/#{folder}", root) if Dir.exist?("#{found.full_gem_path}/#{folder}") && found.full_gem_path !~ /vendor_ruby\z/
    end
    found.executables.each do |program|
      next if File.exist?("#{root}/#{found.bindir}/#{program}")
      FileUtils.mkdir_p("#{root}/#{found.bindir}")
      from = ["#{found.full_gem_path}/#{found.bindir}/#{program}", "/usr/bin/#{program}"].find { |path| File.exist?(path) }
      from ? FileUtils.cp(from, "#{root}/#{found.bindir}/#{program}") : spec.executables -= [program]
    end
    Dir.chdir(root) do
      spec.files = Dir.glob("**/*", File::FNM_DOTMATCH).select { |path| File.file?(path) }
      compiled = spec.files.any? { |path| path.end_with?(".so") }
      spec.extensions = []
      spec.require_paths = ["lib"]
      spec.platform = Gem::Platform.new("x86_64-linux") if compiled
      spec.extra_rdoc_files = []
      spec.test_files = []
      spec.required_ruby_version = Gem::Requirement.default if compiled
      built = Gem::Package.build(spec, true, false, "#{target}/#{spec.full_name}.gem")
      puts File.basename(built)
    end
  end
end
