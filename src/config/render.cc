// Faults as people read them: the sentence, the place, the line itself and a caret. A line that holds a secret is shown
// without it, because logs and terminals are no place for one. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/config.h"

namespace sluice {
namespace {

// Settings and headers whose values are secret.
constexpr std::array<std::string_view, 10> secret_keys = {"key",
                                                          "keys",
                                                          "api_key",
                                                          "secret_access_key",
                                                          "session_token",
                                                          "authorization",
                                                          "proxy-authorization",
                                                          "x-api-key",
                                                          "x-goog-api-key",
                                                          "api-key"};

bool word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// End of the value that starts at `at`: behind its closing quote or bracket, else before the next comma or brace.
std::size_t value_end(std::string_view line, std::size_t at) {
  if (at >= line.size()) return line.size();
  const char open = line[at];
  const char close = open == '[' ? ']' : open == '{' ? '}' : open;
  if (open == '"' || open == '\'' || open == '[' || open == '{') {
    for (std::size_t i = at + 1; i < line.size(); ++i) {
      if (open == '"' && line[i] == '\\') {
        ++i;
      } else if (line[i] == close) {
        return i + 1;
      }
    }
    return line.size();
  }
  return std::min(line.find_first_of(",}]", at), line.size());
}

// The line with every secret value, and every login inside an address, replaced by stars. Columns stay where they are.
std::string masked(std::string_view line) {
  std::string out(line);
  const std::string small = lower(line);
  for (const std::string_view key : secret_keys) {
    for (std::size_t at = small.find(key); at != std::string::npos; at = small.find(key, at + 1)) {
      std::size_t i = at + key.size();
      if ((at > 0 && word_byte(small[at - 1])) || (i < small.size() && word_byte(small[i]))) continue;
      while (i < small.size() && (small[i] == '"' || small[i] == '\'' || small[i] == ' ')) ++i;
      if (i >= small.size() || small[i] != ':') continue;
      i = std::min(small.find_first_not_of(" \t", i + 1), small.size());
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(i),
                out.begin() + static_cast<std::ptrdiff_t>(value_end(line, i)), '*');
    }
  }
  for (std::size_t at = line.find("://"); at != std::string_view::npos; at = line.find("://", at + 3)) {
    const auto end = std::min(line.find_first_of("/ \t\"',", at + 3), line.size());
    const auto login = line.substr(0, end).rfind('@');
    if (login == std::string_view::npos || login < at + 3) continue;
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(at + 3), out.begin() + static_cast<std::ptrdiff_t>(login), '*');
  }
  return out;
}

}  // namespace

std::string render(const std::vector<ConfigFault>& faults, std::string_view yaml, std::string_view source) {
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at <= yaml.size();) {
    const auto end = std::min(yaml.find('\n', at), yaml.size());
    lines.push_back(yaml.substr(at, end - at));
    at = end + 1;
  }
  std::string out;
  for (const ConfigFault& fault : faults) {
    out += (fault.warning ? "warning: " : "error: ") + fault.message + '\n';
    const auto line = static_cast<std::size_t>(fault.mark.line);
    if (line > 0 && line <= lines.size()) {
      const std::string number = std::to_string(line);
      const std::string margin(number.size(), ' ');
      const auto column = static_cast<std::size_t>(std::max(fault.mark.column, 1));
      out += margin + "--> " + std::string(source) + ':' + number + ':' + std::to_string(column) + '\n';
      out += number + " | " + masked(lines[line - 1]) + '\n';
      out += margin + " | " + std::string(column - 1, ' ') + '^';
      if (!fault.hint.empty()) out += ' ' + fault.hint;
      out += '\n';
    } else if (!fault.hint.empty()) {
      out += "  = " + fault.hint + '\n';
    }
  }
  return out;
}

}  // namespace sluice
