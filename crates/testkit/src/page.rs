//! A Markdown page as far as tests look at one: where it leads, where others may lead, and what it tells to run.

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// The names by which links reach its headings.
    pub anchors: Vec<String>,
    /// Where its links and pictures lead.
    pub links: Vec<Place>,
    /// What stands between backticks within its text.
    pub names: Vec<Place>,
    /// Its fenced blocks, in order.
    pub blocks: Vec<Block>,
}

/// A short text and its line, from 1.
#[derive(Debug)]
pub struct Place {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub line: usize,
}

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// The first word after the fence; empty without one.
    pub language: String,
    /// The words after it.
    pub words: Vec<String>,
    /// What is in it.
    pub text: String,
    /// The line of its fence, from 1.
    pub line: usize,
}

impl Page {
    /// Reads a page as GitHub does.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        let mut block: Option<Block> = None;
        let mut slugs = BTreeMap::new();
        let options = Options::ENABLE_GFM | Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            let place = |found: &str| Place {
                text: found.to_owned(),
                line: line(text, &range),
            };
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    page.anchors.push(slug(&heading.take().unwrap_or_default(), &mut slugs));
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(place(&dest_url));
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info = match &kind {
                        CodeBlockKind::Fenced(info) => info.as_ref(),
                        CodeBlockKind::Indented => "",
                    };
                    let mut words = info.split_whitespace().map(str::to_owned);
                    block = Some(Block {
                        language: words.next().unwrap_or_default(),
                        words: words.collect(),
                        text: String::new(),
                        line: line(text, &range),
                    });
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Text(found) => {
                    if let Some(block) = &mut block {
                        block.text.push_str(&found);
                    } else if let Some(heading) = &mut heading {
                        heading.push_str(&found);
                    }
                }
                Event::Code(found) => {
                    page.names.push(place(&found));
                    if let Some(heading) = &mut heading {
                        heading.push_str(&found);
                    }
                }
                _ => {}
            }
        }
        page
    }
}

fn line(text: &str, range: &Range<usize>) -> usize {
    text[..range.start].matches('\n').count() + 1
}

/// GitHub's name of a heading: in small letters, hyphens for spaces, without punctuation, and numbered when it comes again.
fn slug(heading: &str, seen: &mut BTreeMap<String, usize>) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    let slug: String = kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect();
    let again = seen.entry(slug.clone()).or_default();
    *again += 1;
    match *again {
        1 => slug,
        times => format!("{slug}-{}", times - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn headings_are_reached_by_the_names_that_github_gives_them() {
        let page =
            Page::parse("# `GET /kpis/overview`\n\n## How far?\n\n## How far?\n\n## 7. Hours, and _more_ days\n");
        assert_eq!(
            page.anchors,
            ["get-kpisoverview", "how-far", "how-far-1", "7-hours-and-more-days"]
        );
    }

    #[test]
    fn links_names_and_blocks_are_found_where_they_stand() {
        let page = Page::parse("See [a](b.md#c), ![d](e.png), `f/g` and:\n\n```sh not-run\nls [h](i)\n```\n\n    j\n");
        let links: Vec<_> = page.links.iter().map(|link| link.text.as_str()).collect();
        assert_eq!(links, ["b.md#c", "e.png"]);
        assert_eq!((page.names[0].text.as_str(), page.names[0].line), ("f/g", 1));
        let block = &page.blocks[0];
        assert_eq!((block.language.as_str(), block.text.as_str()), ("sh", "ls [h](i)\n"));
        assert_eq!((block.words.as_slice(), block.line), (&["not-run".to_owned()][..], 3));
        assert_eq!(page.blocks[1].language, "");
    }
}
