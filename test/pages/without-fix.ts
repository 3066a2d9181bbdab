/**
 * Diagnostics of policies that carry no fix, and why no edit of the text can be offered. Of every other one a bad example of
 * its page has a fix. What is said of documents, machines, plans and deeds has no text to edit.
 */
const another = 'the text says nothing of what was meant';
const untold = 'the snapshot does not tell it: one taken on the machine does';

export const withoutFix: Readonly<Record<string, string>> = {
  VP1008: another,
  VP1011: another,
  VP1015: 'a brace or a parenthesis is missing, and nobody knows where',
  VP1022: another,
  VP1027: another,
  VP1028: another,
  VP1031: another,
  VP1033: 'only who writes it knows what there is to say',
  VP2009: untold,
  VP2010: 'to declare the device there, or to narrow the policy: both change what is asked of other hosts',
  VP2012: 'what tells the devices apart has to be found on the machine',
  VP2015: 'which policy is meant, or which host, only the test can tell',
  VP2106: 'which functions are meant has to be said',
  VP3121:
    'the machine breaks the law, and no statement: without the law it would be as unsafe, and nobody told',
  VP3124: 'the unit of the service has to change',
  VP3127: 'the claim is told of, and is no mistake',
  VP3133: 'somebody else brings it about, as the diagnostic says',
  VP3138: 'somebody else has changed it, or a policy protects it: what it shall be, nobody has said',
  VP3301: untold,
  VP3302: untold,
  VP3303: untold,
  VP3304: untold,
  VP3305: untold,
  VP3306: untold,
  VP3307: untold,
};

/** Fixes after which an error is left for a person, by code and title: the error. */
export const leavesAnother: Readonly<Record<string, readonly string[]>> = {
  // The word is right, and what the sentence says is judged for the first time.
  'VP1004 write `noiommu`': ['VP3109'],
  // Which of the two functions is meant, only a person can tell.
  'VP1034 remove the count': ['VP2102'],
  // The two differ, and this one is wrong about the machine.
  'VP2007 remove the other one': ['VP3111'],
  // They have blanks to be filled in.
  'VP2020 write `noiommu allowed { owner "…" reason "…" u…`': ['VP1009'],
  'VP3113 insert `noiommu allowed { owner "…" reason "…" until YYYY-MM-DD }`': ['VP1009'],
};
