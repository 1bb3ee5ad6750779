// A catalogue as a file, and what a route by price needs. SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "pricing/catalogue.h"

namespace sluice {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::optional<std::string> variable(const char* name) {
  return std::string_view(name) == "KEY" ? std::optional<std::string>("k") : std::nullopt;
}

Loaded load(std::string_view yaml) {
  return load_config(yaml, "config.yaml", variable);
}

// The faults of a configuration as people read them.
std::string told(const std::string& yaml) {
  return render(load(yaml).faults, yaml, "config.yaml");
}

TEST(CatalogueSettings, TheCheapestNeedsAPrice) {
  const std::string backends = R"(backends:
  a: {type: compatible, base_url: "http://h", models: ["*"]}
  o: {type: openai, api_key: "${KEY}", models: [gpt-4o, {name: own, upstream: nobody-knows}, {name: mini, upstream: gpt-4o-mini}]}
)";
  const auto faults = [&](const std::string& entry, const std::string& model = "x") {
    return told(backends + "routes: [{model: \"" + model + "\", try: [{balance: cheapest, over: [" + entry + "]}]}]");
  };
  EXPECT_THAT(faults("{backend: a, model: gpt-4o}, {backend: o, model: own}"),
              AllOf(HasSubstr("no price is known of any target"), HasSubstr("config.yaml:4:")));
  EXPECT_EQ(faults("{backend: a, model: gpt-4o}, {backend: o, model: gpt-4o}"), "");
  EXPECT_EQ(faults("{backend: a, model: gpt-4o}, {backend: o, model: mini}"), "");
  EXPECT_EQ(faults("{backend: a, model: gpt-4o}, [{backend: a, model: y}, {backend: o, model: mini}]"), "");
  EXPECT_EQ(faults("{backend: a}, {backend: o}", "gpt-*"), "");
  EXPECT_THAT(faults("{backend: a}, {backend: a}", "gpt-*"), HasSubstr("no price is known"));
  EXPECT_THAT(faults("{backend: gone, model: y}"), Not(HasSubstr("no price")));
}

TEST(CatalogueSettings, ACatalogueIsAFile) {
  EXPECT_THAT(
      told("\ncatalogue: /no/such/file"),
      AllOf(HasSubstr("config.yaml:2:"), HasSubstr("/no/such/file cannot be read"), HasSubstr("models update")));
  EXPECT_THAT(told("catalogue: /"), HasSubstr("cannot be read"));
  EXPECT_THAT(told("catalogue: " + std::string(SLUICE_SOURCE_DIR) + "/CMakeLists.txt"),
              AllOf(HasSubstr("CMakeLists.txt, line 1"), HasSubstr("no table of models")));
  const Loaded loaded = load("catalogue: " + std::string(SLUICE_SOURCE_DIR) + "/src/pricing/models.txt");
  EXPECT_TRUE(loaded.ok());
  EXPECT_NE(&catalogue(loaded.config), &Catalogue::built_in());
  EXPECT_TRUE(catalogue(loaded.config).find("openai", "gpt-4o"));
  EXPECT_EQ(&catalogue(load("{}").config), &Catalogue::built_in());
}

}  // namespace
}  // namespace sluice
