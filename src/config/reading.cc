// SPDX-License-Identifier: MIT
#include "config/reading.h"

#include <charconv>
#include <fstream>
#include <iterator>

#include "base/text.h"

namespace sluice::config {

std::string quoted_name(std::string_view text) {
  return '"' + std::string(text) + '"';
}

void Reading::fault(const YAML::Mark& mark, std::string message, std::string hint) {
  faults.push_back({place(mark), std::move(message), std::move(hint), false});
}

void Reading::warn(const YAML::Mark& mark, std::string message, std::string hint) {
  faults.push_back({place(mark), std::move(message), std::move(hint), true});
}

void Reading::unknown_key(const YAML::Mark& mark, std::string_view key, std::string_view path,
                          std::span<const std::string_view> known) {
  const auto near = closest(key, known);
  std::string hint;
  if (!near.empty()) {
    hint = "did you mean " + quoted_name(near.front()) + "?";
  } else {
    hint = "known here:";
    for (const std::string_view name : known) hint += " " + std::string(name);
  }
  fault(mark, "unknown key " + quoted_name(key) + (path.empty() ? std::string() : " in " + std::string(path)),
        std::move(hint));
}

bool Reading::expand(const YAML::Mark& mark, std::string_view path, const std::string& raw, std::string& out) {
  out.clear();
  if (!environment_) {
    out = raw;
    return true;
  }
  for (std::size_t at = 0; at < raw.size();) {
    const auto open = raw.find("${", at);
    out.append(raw, at, open == std::string::npos ? std::string::npos : open - at);
    if (open == std::string::npos) break;
    const auto close = raw.find('}', open);
    if (close == std::string::npos) {
      fault(mark, quoted_name(path) + " has a \"${\" without its \"}\"");
      return false;
    }
    const std::string inside = raw.substr(open + 2, close - open - 2);
    at = close + 1;
    if (inside.starts_with("file:")) {
      std::ifstream file(inside.substr(5), std::ios::binary);
      if (!file) {
        fault(mark, quoted_name(path) + ": the file " + inside.substr(5) + " cannot be read");
        return false;
      }
      std::string text{std::istreambuf_iterator<char>(file), {}};
      while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
      out += text;
      continue;
    }
    const auto dash = inside.find(":-");
    const std::string name = inside.substr(0, dash);
    const auto value = environment_(name.c_str());
    if (value && (!value->empty() || dash == std::string::npos)) {
      out += *value;
    } else if (dash != std::string::npos) {
      out += inside.substr(dash + 2);
    } else {
      fault(mark, quoted_name(path) + ": the environment variable " + name + " is not set",
            "set it, or write ${" + name + ":-fallback}");
      return false;
    }
  }
  return true;
}

// Messages quote what stands in the file, never what a variable or a file held: that may be a secret.
bool Reading::text(const YAML::Node& node, std::string_view path, std::string& out) {
  if (!node.IsScalar()) {
    fault(node.Mark(), quoted_name(path) + (node.IsNull() ? " has no value" : " must be one value, not a list or map"));
    return false;
  }
  return expand(node.Mark(), path, node.Scalar(), out);
}

bool Reading::secret(const YAML::Node& node, std::string_view path, Secret& out) {
  std::string value;
  if (!text(node, path, value)) return false;
  if (value.find_first_of("\r\n") != std::string::npos) {
    fault(node.Mark(), quoted_name(path) + " holds a line break");
    return false;
  }
  if (!value.empty() && node.Scalar().find("${") == std::string::npos) {
    warn(node.Mark(), quoted_name(path) + " stands in the file as plain text",
         "write ${SOME_VARIABLE} or ${file:/run/secrets/x} instead");
  }
  out = Secret(std::move(value));
  return true;
}

bool Reading::boolean(const YAML::Node& node, std::string_view path, bool& out) {
  std::string value;
  if (!text(node, path, value)) return false;
  if (value == "true" || value == "yes" || value == "on") {
    out = true;
  } else if (value == "false" || value == "no" || value == "off") {
    out = false;
  } else {
    fault(node.Mark(), quoted_name(path) + " must be true or false, not " + quoted_name(node.Scalar()));
    return false;
  }
  return true;
}

bool Reading::integer(const YAML::Node& node, std::string_view path, std::int64_t min, std::int64_t max,
                      std::int64_t& out) {
  std::string value;
  if (!text(node, path, value)) return false;
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (code != std::errc() || end != value.data() + value.size() || number < min || number > max) {
    fault(node.Mark(), quoted_name(path) + " must be a whole number from " + std::to_string(min) + " to " +
                           std::to_string(max) + ", not " + quoted_name(node.Scalar()));
    return false;
  }
  out = number;
  return true;
}

bool Reading::duration(const YAML::Node& node, std::string_view path, Millis min, Millis& out) {
  std::string value;
  if (!text(node, path, value)) return false;
  const auto parsed = parse_duration(value);
  if (!parsed || *parsed < min) {
    fault(node.Mark(), quoted_name(path) + " must be a time such as 250ms, 30s, 10m or 1h30m" +
                           (parsed ? ", at least " + std::to_string(min.count()) + "ms" : "") + ", not " +
                           quoted_name(node.Scalar()));
    return false;
  }
  out = std::chrono::duration_cast<Millis>(*parsed);
  return true;
}

bool Reading::size(const YAML::Node& node, std::string_view path, std::int64_t min, std::int64_t& out) {
  std::string value;
  if (!text(node, path, value)) return false;
  const auto parsed = parse_size(value);
  if (!parsed || static_cast<std::int64_t>(*parsed) < min) {
    fault(node.Mark(), quoted_name(path) + " must be a size such as 64KiB or 32MiB, at least " + std::to_string(min) +
                           " bytes, not " + quoted_name(node.Scalar()));
    return false;
  }
  out = static_cast<std::int64_t>(*parsed);
  return true;
}

bool Reading::choice(const YAML::Node& node, std::string_view path, std::span<const std::string_view> allowed,
                     std::string& out) {
  std::string value;
  if (!text(node, path, value)) return false;
  for (const std::string_view one : allowed) {
    if (iequals(one, value)) {
      out = one;
      return true;
    }
  }
  const auto near = closest(node.Scalar(), allowed);
  std::string hint = "one of:";
  for (const std::string_view one : allowed) hint += " " + std::string(one);
  fault(node.Mark(), quoted_name(path) + " cannot be " + quoted_name(node.Scalar()),
        near.empty() ? hint : "did you mean " + quoted_name(near.front()) + "?");
  return false;
}

bool Reading::texts(const YAML::Node& node, std::string_view path, std::vector<std::string>& out) {
  if (!node.IsSequence()) {
    fault(node.Mark(), quoted_name(path) + " must be a list");
    return false;
  }
  for (const auto& item : node) {
    std::string one;
    if (text(item, path, one)) out.push_back(std::move(one));
  }
  return true;
}

}  // namespace sluice::config
