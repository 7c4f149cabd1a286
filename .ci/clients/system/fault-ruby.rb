# Ruby's net/http under one fault. What it needs is in the environment.
require 'json'
require 'net/http'

url = URI(ENV['URL'])
seconds = ENV['TIMEOUT'].to_f / 1000
seen = { where: 'call' }
begin
  Net::HTTP.start(url.host, url.port, open_timeout: seconds, read_timeout: seconds, write_timeout: seconds) do |http|
    unless ENV['WARM'].to_s.empty?
      http.get(URI(ENV['WARM']).request_uri, 'X-Api-Key' => ENV['KEY'])
    end
    request = Net::HTTP.const_get(ENV['METHOD'].capitalize).new(url.request_uri, 'X-Api-Key' => ENV['KEY'])
    unless ENV['BODY'].to_s.empty?
      request.body = File.binread(ENV['BODY'])
      request['Content-Type'] = ENV['TYPE']
    end
    # It reads the body before it returns.
    answer = http.request(request)
    seen[:status] = answer.code.to_i
    seen[:bytes] = answer.body.to_s.bytesize
    seen[:where] = 'json'
    value = JSON.parse(answer.body)
    seen[:value] = value.is_a?(Hash) ? 'object' : value.to_json[0, 20]
    seen[:where] = 'none'
  end
rescue StandardError => e
  seen[:error] = "#{e.class} #{e.message.inspect}"
end
puts JSON.generate(seen)
